/** Small words of the protocol that many parts say. */

/**
 * @param {string} tag
 * @param {Record<string, string>} [attrs]
 * @param {import('./connection.js').Node[] | Uint8Array} [content]
 * @returns {import('./connection.js').Node}
 */
export const element = (tag, attrs = {}, content) => ({ tag, attrs, content })

/** Now, as stanzas tell the time: seconds. */
export const now = () => String(Math.floor(Date.now() / 1000))
