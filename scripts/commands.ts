import type { Facts } from '../pipeline/facts/schema.js'
import type { CommandLine } from './terminal/command.js'

type Commands = Record<string, () => Promise<CommandLine>>

/** Commands for those who build, run and release images. */
const userCommands: Commands = {
  build: async () => (await import('./flags/build.js')).build,
  recipe: async () => (await import('./flags/recipe.js')).recipe,
  smoke: async () => (await import('./flags/smoke.js')).smoke,
  sizes: async () => (await import('./flags/sizes.js')).sizes,
  verify: async () => (await import('./flags/verify.js')).verify,
  inputs: async () => (await import('./flags/inputs.js')).inputs,
  engine: async () => (await import('./flags/engine.js')).engine,
  release: async () => (await import('./flags/release.js')).release,
  update: async () => (await import('./flags/update.js')).update,
}

const dev = () => import('./flags/dev.js')

/** Commands for those who work on this project. */
const developerCommands: Commands = {
  test: async () => (await dev()).test,
  readme: async () => (await dev()).readme,
  bench: async () => (await dev()).bench,
  'kubelet-bench': async () => (await dev()).kubeletBench,
  'pack-report': async () => (await dev()).packReport,
  programs: async () => (await dev()).programs,
}

/** Every command, by name; loaded when it is used, because help must be there at once. */
export const commands: Commands = { ...userCommands, ...developerCommands }

/** What `npx kubelet-images` prints. */
export async function listCommands(facts: Facts): Promise<string> {
  const lines = (table: Commands) =>
    Promise.all(
      Object.entries(table).map(async ([name, load]) => {
        const [sentence = ''] = (await load())
          .flags(facts)
          .description()
          .split(/(?<=\.) /)
        return `  ${name.padEnd(15)}${sentence.replace(/\.$/, '')}`
      }),
    )
  return [
    'Usage: npx kubelet-images <command> [options]',
    '       npm run <command> -- [options]',
    '',
    ...(await lines(userCommands)),
    '',
    'For work on this project:',
    ...(await lines(developerCommands)),
    '',
    'npx kubelet-images <command> --help tells the options of one. All have',
    '',
    '  --progress <how>  auto, plain, tty or quiet: how progress is shown on stderr',
    '  --debug           print with an error where it came from',
    '',
  ].join('\n')
}
