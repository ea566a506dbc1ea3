/** How many sends of a session are under way, and for how long there have been none: who restarts it must know. */

export class Busy {
  #active = 0
  #idleSince = performance.now()

  get active() {
    return this.#active
  }

  begin() {
    this.#active += 1
  }

  end() {
    this.#active -= 1
    this.#idleSince = performance.now()
  }

  /** The sending-status of the contract. */
  status() {
    const active = this.#active
    return { is_sending: active > 0, active_sends: active, idle_seconds: active ? 0 : (performance.now() - this.#idleSince) / 1000 }
  }
}
