import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { project, succeed } from '../_helpers/command.js'

const tools = readdirSync(join(project, 'tools')).filter((name) =>
  readdirSync(join(project, 'tools', name)).some((file) => file.endsWith('_test.go')),
)

for (const name of tools) {
  test.serial(`go test and go vet of tools/${name}`, async (t) => {
    t.timeout(600_000)
    const options = {
      cwd: join(project, 'tools', name),
      env: { GOTOOLCHAIN: 'auto', GOFLAGS: '', GOWORK: 'off' },
    }
    await t.notThrowsAsync(succeed('go', ['test', './...'], options))
    await t.notThrowsAsync(succeed('go', ['vet', './...'], options))
  })
}

test.serial('every Go program but the engine has tests', (t) => {
  t.deepEqual(tools, ['alpine-root', 'executables', 'go-sizes', 'preflight', 'push'])
})
