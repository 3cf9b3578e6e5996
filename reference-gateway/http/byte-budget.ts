/** How many bytes of bodies and whole answers this process may keep in memory at the same time. */
export class ByteBudget {
  #kept = 0

  /** False: there is no room for them beside what is kept. */
  take(bytes: number, most: number): boolean {
    if (this.#kept + bytes > most) return false
    this.#kept += bytes
    return true
  }

  give(bytes: number): void {
    this.#kept -= bytes
  }
}
