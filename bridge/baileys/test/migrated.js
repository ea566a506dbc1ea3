/** A database with the sidecar's tables, for one test file. */

import { openDatabase } from '../src/database.js'
import { migrate } from '../src/migrate.js'
import { freshDatabase } from './postgres.js'

export async function migratedDatabase() {
  const fresh = await freshDatabase()
  const database = await openDatabase(fresh.url, { max: 5 })
  await migrate(database)
  return {
    database,
    close: async () => {
      await database.close()
      await fresh.close()
    }
  }
}
