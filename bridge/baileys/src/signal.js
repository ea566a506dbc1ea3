/** Signal's ratchets, moved on in Postgres before the bytes that they encrypted can leave, and after those that they opened are safe. */

import { AsyncResource } from 'node:async_hooks'

import { makeLibSignalRepository } from 'baileys/lib/Signal/libsignal.js'

import './failed_tries.js'
import { SerialQueue } from './queue.js'

/**
 * Baileys' own repository, with three changes.
 *
 * Baileys sends within a transaction that it commits when the bytes are on the socket: a crash in between would use a step
 * of a ratchet twice. What is run from outside of that transaction, as here, is committed by itself.
 *
 * Baileys also locks a ratchet by the address that was used, and one person has two: a message that comes in by the one
 * while another goes out by the other would undo a step. Here both are one after the other.
 *
 * And what is decrypted is told before the step of its ratchet is stored. What a try that failed leaves behind is the matter
 * of failed_tries.js.
 *
 * @param {import('baileys').SignalAuthState} auth
 * @param {import('baileys/lib/Utils/logger.js').ILogger} logger
 * @param {(jids: string[]) => Promise<import('baileys').LIDMapping[] | undefined>} [phonesToLids]
 * @param {(sealed: Uint8Array, plain: Uint8Array) => Promise<void>} [decrypted]
 * @returns {import('baileys').SignalRepositoryWithLIDStore}
 */
export function makeSignalRepository(auth, logger, phonesToLids, decrypted = async () => {}) {
  const withTransactions = /** @type {Parameters<typeof makeLibSignalRepository>[0]} */ (auth)
  const keys = /** @type {import('baileys').SignalKeyStoreWithTransaction} */ (auth.keys)
  const repository = makeLibSignalRepository(withTransactions, logger, phonesToLids)
  const outside = new AsyncResource('ratchet')
  /** @type {Map<string, SerialQueue>} */
  const ratchets = new Map()

  /**
   * @template T
   * @param {string} jid
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  const alone = (jid, work) =>
    outside.runInAsyncScope(async () => {
      const one = (await repository.lidMapping.getLIDForPN(jid)) ?? jid
      const address = repository.jidToSignalProtocolAddress(one)
      const ratchet = ratchets.get(address) ?? new SerialQueue()
      ratchets.set(address, ratchet)
      try {
        return await ratchet.run(work)
      } finally {
        if (!ratchet.length) ratchets.delete(address)
      }
    })

  /** @param {Parameters<typeof repository.decryptMessage>[0]} message */
  const decrypt = (message) =>
    keys.transaction(async () => {
      const plain = await repository.decryptMessage(message)
      await decrypted(message.ciphertext, plain)
      return plain
    }, message.jid)

  return {
    ...repository,
    encryptMessage: (message) => alone(message.jid, () => repository.encryptMessage(message)),
    decryptMessage: (message) => alone(message.jid, () => decrypt(message)),
    injectE2ESession: (bundle) => alone(bundle.jid, () => repository.injectE2ESession(bundle))
  }
}
