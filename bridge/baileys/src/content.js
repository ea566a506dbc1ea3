/** A message in WhatsApp's own form. Media come as bytes and links stay text: the bridge never fetches what a message names. */

import { generateWAMessageContent } from 'baileys'

/**
 * @param {import('./contract.js').Attempt} attempt
 * @param {Pick<import('baileys').WASocket, 'waUploadToServer'>} socket where media are uploaded
 * @param {number} withinMs how long the upload may take
 * @returns {Promise<import('baileys').proto.IMessage>}
 */
export async function contentOf({ kind, text, media }, { waUploadToServer }, withinMs) {
  const given = media ? mediaContent(kind, text, media) : { text, linkPreview: null }
  return generateWAMessageContent(/** @type {import('baileys').AnyMessageContent} */ (given), {
    upload: waUploadToServer,
    mediaUploadTimeoutMs: withinMs
  })
}

/**
 * Without a small picture of an image or video: to make one, Baileys would start other programs on the file.
 * @param {string} kind
 * @param {string} text
 * @param {import('./contract.js').Media} media
 */
function mediaContent(kind, text, { data, mimetype, filename }) {
  const caption = text || undefined
  switch (kind) {
    case 'audio':
      return { audio: data, mimetype }
    case 'document':
      return { document: data, mimetype, caption, fileName: filename ?? undefined }
    default:
      return { [kind]: data, mimetype, caption, jpegThumbnail: null }
  }
}
