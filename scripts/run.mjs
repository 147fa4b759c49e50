#!/usr/bin/env node
// The one way in: npx kubelet-images build --k8s v1.24.0, and the scripts of package.json.
// Plain JavaScript, because it installs node_modules when they are missing or older than the lock file.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)

if (changed('package-lock.json') > changed('node_modules/.package-lock.json')) {
  process.stderr.write('installing node_modules\n')
  const flags = [
    // Scripts of packages are not wanted, and credentials for a registry of images are none of npm's business.
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...(offline() ?? ['--fetch-retries=5']),
  ]
  const { REGISTRY_USERNAME: _, REGISTRY_PASSWORD: __, ...env } = process.env
  // npm's output goes to stderr: stdout carries results only.
  const { status } = spawnSync('npm', ['ci', ...flags], { cwd: root, env, stdio: ['ignore', 2, 2] })
  if (status !== 0) {
    process.stderr.write('npm ci failed: see above, then run this command again\n')
    process.exit(1)
  }
}

// Packages of many files that every command needs, loaded before tsx looks at each file: a quarter of the time until --help is there.
await Promise.all(['zod', '@commander-js/extra-typings', 'semver'].map((name) => import(name)))
const { register } = await import('tsx/esm/api')
register()
const { main } = await import('./main.ts')
await main(args)

/** Flags of npm for a build without network, whose bundle has a cache of npm; none for any other. */
function offline() {
  const at = args.findIndex((arg) => /^--offline(=|$)/.test(arg))
  if (at < 0) return undefined
  const [, bundle = args[at + 1]] = args[at].split(/=(.*)/s)
  if (!bundle || bundle.startsWith('-')) return ['--offline']
  const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-npm-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // A bundle that cannot be read is told by the script, if it comes that far; npm tells what it has not got.
  spawnSync(
    'tar',
    ['--extract', '--force-local', `--file=${bundle}`, `--directory=${folder}`, 'npm'],
    {
      stdio: ['ignore', 2, 2],
    },
  )
  return ['--offline', `--cache=${join(folder, 'npm')}`]
}

/** Time of the last change in milliseconds; 0 where there is no such file. */
function changed(path) {
  return statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
