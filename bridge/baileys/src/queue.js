/** Work that is done one at a time, in the order in which it came. */

export class SerialQueue {
  /** @type {Promise<unknown>} */
  #last = Promise.resolve()
  #length = 0

  /** How many works wait or are under way. */
  get length() {
    return this.#length
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>} the work's own result or error; an error does not stop what comes after it
   */
  run(work) {
    this.#length += 1
    const done = this.#last.then(work).finally(() => {
      this.#length -= 1
    })
    this.#last = done.catch(() => undefined)
    return done
  }
}
