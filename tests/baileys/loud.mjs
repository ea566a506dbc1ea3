/** Loaded before the sidecar: its console cannot be made quiet, as if nobody had thought of it. */

for (const name of Object.keys(console)) {
  const loud = console[name]
  Object.defineProperty(console, name, { get: () => loud, set: () => {} })
}
