import { spawnSync } from 'node:child_process'
import test from 'ava'
import { loadFacts } from '../../../../pipeline/facts/load.js'
import { commands } from '../../../../scripts/commands.js'
import { type CommandLine, longFlags } from '../../../../scripts/terminal/command.js'
import { verifyNothingKept } from '../../../../scripts/terminal/npm.js'
import { project, run } from '../../../_helpers/command.js'

const facts = loadFacts()
const all = await Promise.all(
  Object.entries(commands).map(async ([name, load]) => [name, await load()] as const),
)
const build = (await commands.build?.()) as CommandLine
const start = (...args: string[]) => run('node', ['scripts/run.mjs', ...args])

for (const [name, command] of all) {
  test(`${name} --help names every flag and what it is for`, (t) => {
    const declared = command.flags(facts)
    const help = declared.helpInformation()
    t.true(help.startsWith(`Usage: npm run ${name} -- `), help)
    t.true(declared.description().length > 20)
    for (const { long, hidden, description } of declared.options) {
      if (!hidden) t.true(help.includes(`${long} `) && description.length > 0, long)
    }
    t.true(help.split('\n').every((line) => line.length <= 120))
  })

  test(`${name} refuses a flag that it does not have`, (t) => {
    if (name === 'test') return t.notThrows(() => command.parse(['unit', '--match=x'], facts))
    const error = t.throws(() => command.parse(['--no-such-flag'], facts), { name: 'UserError' })
    t.regex(error?.message ?? '', /^unknown flag "--no-such-flag": choose from .*--help\.$/)
  })
}

test('choices in a help text are those of variants.json', (t) => {
  const help = build.flags(facts).helpInformation()
  for (const name of [...Object.keys(facts.variants), ...Object.keys(facts.bases), 'kube-proxy']) {
    t.true(help.includes(name), name)
  }
  t.false(help.includes('coredns'), 'images of tests alone')
})

test('help is there before half a second of work is done', async (t) => {
  const { status, stdout } = await start('build', '--help')
  t.is(status, 0)
  t.regex(stdout, /^Usage: npm run build -- /)
  // A machine that does other things takes its time: what takes long is the engine's client, the work's own module.
  const { stderr } = spawnSync('node', ['scripts/run.mjs', 'build', '--help'], {
    cwd: project,
    env: { ...process.env, NODE_DEBUG: 'esm' },
    encoding: 'utf8',
  })
  t.notRegex(stderr, /@dagger\.io/)
})

test('without a command, or with one that there is not, the commands are told', async (t) => {
  const { status, stdout } = await start()
  t.is(status, 0)
  for (const name of Object.keys(commands)) t.regex(stdout, new RegExp(`^ {2}${name} `, 'm'))
  const { status: wrong, stderr } = await start('biuld')
  t.is(wrong, 2)
  t.regex(stderr, /^unknown command "biuld": choose from build, .* Did you mean build\?\n$/)
})

test('a suite that there is not runs no test', async (t) => {
  const { status, stdout, stderr } = await start('test', 'unitt')
  t.is(status, 2)
  t.is(stdout, '')
  t.is(stderr, 'unknown suite "unitt": choose from unit, all, full, nightly. Did you mean unit?\n')
})

test('flags that npm has kept are told', (t) => {
  const flags = longFlags(build.flags(facts))
  t.notThrows(() => verifyNothingKept('build', flags, { npm_config_json: 'true', HOME: '/root' }))
  t.throws(
    () => verifyNothingKept('build', flags, { npm_config_k8s: 'v1.24.0', npm_config_plan: 'true' }),
    {
      message:
        'npm has kept --k8s --plan for itself: write -- before the first flag, npm run build -- --k8s ...',
    },
  )
})

test('a forgotten -- is told, as npm has it', async (t) => {
  const { status, stdout, stderr } = await run('npm', ['run', 'build', '--k8s', 'v1.24.0'])
  t.is(status, 2)
  t.is(stdout, '')
  t.regex(
    stderr,
    /^npm has kept --k8s for itself: write -- before the first flag, npm run build -- --k8s /,
  )
})

test('--debug tells where an error came from', async (t) => {
  const args = ['build', '--k8s', 'v1.24.0', '--arch', 'x']
  t.notRegex((await start(...args)).stderr, /\n {4}at /)
  t.regex((await start(...args, '--debug')).stderr, /\n {4}at parseArch/)
})

test('npx kubelet-images is the same', async (t) => {
  const { status, stdout, stderr } = await run('npx', ['kubelet-images', 'build', '--help'])
  t.is(status, 0, stderr)
  t.is(stdout, (await start('build', '--help')).stdout)
})
