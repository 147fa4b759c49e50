import { mark, quote, quoteForUnit } from './shell.js'

/** A directory or file of the host that a container sees under the same name. */
export interface Mount {
  path: string
  /** rshared: what is mounted below it on either side is seen on the other; rslave: what the host mounts is seen inside. */
  propagation?: 'rshared' | 'rslave'
  readOnly?: boolean
}

/** A container that is part of the node: root on it, in the host's network, with the host's processes and host name. */
export interface NodeContainer {
  name: string
  image: string
  /** The program and its arguments. */
  command: readonly string[]
  mounts: readonly Mount[]
  /** Started and left alone; otherwise it ends with its command, and is removed. */
  detached: boolean
}

export const runtimes = ['ctr', 'nerdctl', 'docker', 'systemd'] as const

/** What starts the containers of a node: three command-line clients, and units that call ctr. */
export type Runtime = (typeof runtimes)[number]

/** The command that runs the container, one flag a line, ready to be pasted into a shell. */
export function runCommand(container: NodeContainer, runtime: Exclude<Runtime, 'systemd'>): string {
  const lines = runtime === 'ctr' ? ctrLines(container) : dockerLines(container, runtime)
  return lines.map((words) => words.map(quote).join(' ')).join(' \\\n  ')
}

/** Commands that remove a container, running or not; they do well when there is none. */
export function removeCommands(name: string, runtime: Exclude<Runtime, 'systemd'>): string[] {
  const ctr = 'ctr --namespace k8s.io'
  switch (runtime) {
    case 'ctr':
      return ['tasks rm --force', 'containers rm'].map(
        (command) => `${ctr} ${command} ${name} 2>/dev/null || true`,
      )
    case 'nerdctl':
      return [`nerdctl --namespace k8s.io rm --force ${name} 2>/dev/null || true`]
    case 'docker':
      return [`docker rm --force ${name} 2>/dev/null || true`]
  }
}

/**
 * The systemd unit that keeps the container running; a container of ctr is not started again by anything else.
 * `preparation` are shell commands that come before each start.
 */
export function unitFile(container: NodeContainer, preparation: readonly string[]): string {
  const { name } = container
  const ctr = '/usr/bin/ctr --namespace k8s.io'
  const [, ...flags] = ctrLines({ ...container, detached: false })
  const lines = flags.map((words) => words.map(quoteForUnit).join(' '))
  return `# Written by a recipe of ${mark}.
[Unit]
Description=${name} in a container
After=containerd.service network-online.target
Wants=containerd.service network-online.target

[Service]
${preparation.map((command) => `ExecStartPre=/bin/sh -c '${command}'\n`).join('')}ExecStartPre=-${ctr} task kill --signal SIGKILL ${name}
ExecStartPre=-${ctr} container rm ${name}
ExecStart=${[`${ctr} run --rm`, ...lines].join(' \\\n  ')}
KillMode=mixed
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`
}

/** The words of the command, as lines: the flags that belong together. */
function ctrLines({ name, image, command, mounts, detached }: NodeContainer): string[][] {
  const log = detached ? ['--detach', `--log-uri=file:///var/log/${name}.log`] : ['--rm']
  return [
    ['ctr', '--namespace', 'k8s.io', 'run', ...log],
    ['--privileged', '--net-host', '--rootfs-propagation=rshared'],
    ['--with-ns=pid:/proc/1/ns/pid', '--with-ns=uts:/proc/1/ns/uts'],
    ...mounts.map(({ path, propagation, readOnly }) => {
      const options = ['rbind', ...(propagation ? [propagation] : []), readOnly ? 'ro' : 'rw']
      return ['--mount', `type=bind,src=${path},dst=${path},options=${options.join(':')}`]
    }),
    [image, name],
    ...linesOf(command),
  ]
}

/** A program with its subcommands, and a line for each flag. */
function linesOf(command: readonly string[]): string[][] {
  const flags = command.findIndex((word) => word.startsWith('-'))
  const at = flags < 0 ? command.length : flags
  const lines = [command.slice(0, at), ...command.slice(at).map((word) => [word])]
  return lines.filter((words) => words.length > 0).map((words) => [...words])
}

function dockerLines(
  { name, image, command, mounts, detached }: NodeContainer,
  runtime: 'docker' | 'nerdctl',
): string[][] {
  const [program = '', ...args] = command
  const client = runtime === 'docker' ? ['docker'] : ['nerdctl', '--namespace', 'k8s.io']
  const [first = [], ...more] = linesOf(args)
  const subcommands = first.some((word) => word.startsWith('-')) ? [] : first
  return [
    [
      ...client,
      'run',
      ...(detached ? ['--detach', '--restart=always'] : ['--rm']),
      `--name=${name}`,
    ],
    ['--privileged', '--network=host', '--pid=host', '--uts=host', '--cgroupns=host'],
    ...mounts.map(({ path, propagation, readOnly }) => [
      '--mount',
      [
        `type=bind,src=${path},dst=${path}`,
        ...(propagation ? [`bind-propagation=${propagation}`] : []),
        ...(readOnly ? ['readonly'] : []),
      ].join(','),
    ]),
    // The image's own entrypoint is for a node of a cluster.
    [`--entrypoint=${program}`],
    [image, ...subcommands],
    ...(subcommands.length > 0 ? more : linesOf(args)),
  ]
}
