import { quote } from './shell.js'

/** A directory or file of the host that a container sees under the same name, where the host has it. */
export interface Mount {
  path: string
  /** rshared: what is mounted below it on either side is seen on the other; rslave: what the host mounts is seen inside. */
  propagation?: 'rshared' | 'rslave' | undefined
  readOnly?: boolean | undefined
}

/** A container that is part of the node: root on it, in the host's network, with the host's processes and host name. */
export interface NodeContainer {
  name: string
  image: string
  /** The program and its arguments; a word that begins with $ is expanded by the shell, into as many words as it has. */
  command: readonly string[]
  mounts: readonly Mount[]
  /** Started and left alone, or waited for and removed. */
  life: 'detached' | 'attached'
  /** Of containerd; that of nodes where it is left out. */
  namespace?: string
}

/**
 * The namespace of containerd for what makes the node. Kubernetes has one of its own, whose images the kubelet removes from a full disk: of the
 * image that it runs from it would know no container.
 */
export const nodeNamespace = 'kubelet-images'

export const runtimes = ['ctr', 'nerdctl', 'docker', 'systemd'] as const

/** What starts the containers of a node: three command-line clients, and units that call ctr. */
export type Runtime = (typeof runtimes)[number]

/**
 * Shell that runs the container, with a mount for each path that the host has, ready to be pasted. It changes the shell's positional
 * parameters; with `exec` it becomes the client.
 */
export function runScript(
  container: NodeContainer,
  runtime: Exclude<Runtime, 'systemd'>,
  { exec = false } = {},
): string {
  const { flags, rest } = runtime === 'ctr' ? ctrWords(container) : dockerWords(container, runtime)
  const print = (words: readonly string[]) => words.map(quoteWord).join(' ')
  const { mounts, command } = container
  const options = runtime === 'ctr' ? ctrOptions : dockerOptions
  const splits = command.some((word) => word.startsWith('$'))
  const lines = [
    ...flags.map(print),
    ...(mounts.length > 0 ? ['"$@"'] : []),
    ...rest.map(print),
  ].join(' \\\n  ')
  return [
    ...(mounts.length > 0
      ? [
          'set --',
          'while read -r options path; do',
          '  [ ! -e "$path" ] || set -- "$@" --mount "type=bind,src=$path,dst=$path,$options"',
          "done <<'EOF'",
          ...mounts.map((mount) => `${options(mount)} ${mount.path}`),
          'EOF',
        ]
      : []),
    ...(splits ? ['# shellcheck disable=SC2086 # flags are split into words'] : []),
    exec ? `exec ${lines}` : lines,
  ].join('\n')
}

function quoteWord(word: string): string {
  return word.startsWith('$') ? word : quote(word)
}

function ctrOptions({ propagation, readOnly }: Mount): string {
  const options = ['rbind', ...(propagation ? [propagation] : []), readOnly ? 'ro' : 'rw']
  return `options=${options.join(':')}`
}

function dockerOptions({ path, propagation, readOnly }: Mount): string {
  // Docker takes /var/lib/dockershim, too, for a part of its own directory, of which it gives none away as private.
  const other = path.startsWith('/var/lib/docker') ? 'rslave' : 'rprivate'
  return `bind-propagation=${propagation ?? other}${readOnly ? ',readonly' : ''}`
}

/** Commands that remove a container, running or not; they do well when there is none. */
export function removeCommands(name: string, runtime: Exclude<Runtime, 'systemd'>): string[] {
  const ctr = `ctr --namespace ${nodeNamespace}`
  switch (runtime) {
    case 'ctr':
      return ['tasks rm --force', 'containers rm'].map(
        (command) => `${ctr} ${command} ${name} 2>/dev/null || true`,
      )
    case 'nerdctl':
      return [`nerdctl --namespace ${nodeNamespace} rm --force ${name} 2>/dev/null || true`]
    case 'docker':
      return [`docker rm --force ${name} 2>/dev/null || true`]
  }
}

/** The words of a command, in lines: flags that belong together, and what comes after the mounts. */
interface Words {
  flags: string[][]
  rest: string[][]
}

function ctrWords({ name, image, command, life, namespace = nodeNamespace }: NodeContainer): Words {
  const log = life === 'detached' ? ['--detach', `--log-uri=file:///var/log/${name}.log`] : ['--rm']
  return {
    flags: [
      ['ctr', '--namespace', namespace, 'run', ...log],
      ['--privileged', '--rootfs-propagation=rshared'],
      // Not --net-host, by which ctr mounts /etc/hosts and /etc/resolv.conf as they are at the start.
      ['network:/proc/1/ns/net', 'pid:/proc/1/ns/pid', 'uts:/proc/1/ns/uts'].map(
        (namespace) => `--with-ns=${namespace}`,
      ),
    ],
    rest: [[image, name], ...linesOf(command)],
  }
}

/** A program with its subcommands, and a line for each flag. */
function linesOf(command: readonly string[]): string[][] {
  const flags = command.findIndex((word) => /^[-$]/.test(word))
  const at = flags < 0 ? command.length : flags
  const lines = [command.slice(0, at), ...command.slice(at).map((word) => [word])]
  return lines.filter((words) => words.length > 0).map((words) => [...words])
}

function dockerWords(
  { name, image, command, life, namespace = nodeNamespace }: NodeContainer,
  runtime: 'docker' | 'nerdctl',
): Words {
  const [program = '', ...args] = command
  const client = runtime === 'docker' ? ['docker'] : ['nerdctl', '--namespace', namespace]
  const [first = [], ...more] = linesOf(args)
  const subcommands = first.some((word) => /^[-$]/.test(word)) ? [] : first
  // Started again by its engine, also after the machine was; with a log that ends somewhere.
  const detached = [
    '--detach',
    '--restart=always',
    '--log-opt=max-size=10m',
    '--log-opt=max-file=3',
  ]
  return {
    flags: [
      [...client, 'run', ...(life === 'detached' ? detached : ['--rm']), `--name=${name}`],
      ['--privileged', '--network=host', '--pid=host', '--uts=host', '--cgroupns=host'],
      // The image's own entrypoint is for a node of a cluster.
      [`--entrypoint=${program}`],
    ],
    rest: [[image, ...subcommands], ...(subcommands.length > 0 ? more : linesOf(args))],
  }
}
