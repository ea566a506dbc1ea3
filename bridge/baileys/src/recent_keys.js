/** The keys that a session used of late, as they are in the database: one send asks for the same few again and again. */

const TYPES = new Set(['session', 'identity-key', 'device-list', 'lid-mapping', 'tctoken'])
const LIMIT = 500

export class RecentKeys {
  /** Changes with each write: what was read in an earlier era may be old by now. */
  era = 0

  /** @type {Map<string, string | null>} the least recent first; null is known not to be there */
  #texts = new Map()

  /**
   * @param {string} type
   * @param {string[]} ids
   * @returns {Map<string, string | null>} by id, those that are known
   */
  find(type, ids) {
    const found = new Map()
    for (const id of ids) {
      const name = nameOf(type, id)
      const text = this.#texts.get(name)
      if (text === undefined) continue
      found.set(id, text)
      this.#put(name, text)
    }
    return found
  }

  /**
   * Keep what was read.
   * @param {string} type
   * @param {Map<string, string | null>} read
   */
  learn(type, read) {
    if (TYPES.has(type)) for (const [id, text] of read) this.#put(nameOf(type, id), text)
  }

  /**
   * Keep what was written; undefined when nobody knows whether it was.
   * @param {string} type
   * @param {string} id
   * @param {string | null | undefined} text
   */
  wrote(type, id, text) {
    this.era += 1
    this.#texts.delete(nameOf(type, id))
    if (text !== undefined && TYPES.has(type)) this.#put(nameOf(type, id), text)
  }

  clear() {
    this.era += 1
    this.#texts.clear()
  }

  /**
   * @param {string} name
   * @param {string | null} text
   */
  #put(name, text) {
    this.#texts.delete(name)
    this.#texts.set(name, text)
    if (this.#texts.size > LIMIT) this.#texts.delete(this.#texts.keys().next().value ?? name)
  }
}

/**
 * @param {string} type
 * @param {string} id
 */
function nameOf(type, id) {
  return `${type}/${id}`
}
