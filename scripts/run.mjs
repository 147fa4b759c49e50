// Runs a script of this project: `node scripts/run.mjs build --k8s v1.24.0`.
// Plain JavaScript, because it installs node_modules when they are missing or older than the lock file.
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [script, ...args] = process.argv.slice(2)

if (changed('package-lock.json') > changed('node_modules/.package-lock.json')) {
  process.stderr.write('installing node_modules\n')
  // npm's output goes to stderr: stdout carries results only.
  const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=5']
  const { status } = spawnSync('npm', ['ci', ...flags], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write('npm ci failed: see above, then run this command again\n')
    process.exit(1)
  }
}

const { register } = await import('tsx/esm/api')
register()
process.argv = [process.argv[0], script, ...args]
await import(`./${script}.ts`)

/** Time of the last change in milliseconds; 0 where there is no such file. */
function changed(path) {
  return statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
