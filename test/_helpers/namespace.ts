import { run } from './command.js'

/** Runs a script in a network of its own, where `image` runs a program of the image; its output and errors. */
export async function inNamespace(root: string, script: string): Promise<string> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child']
  const prelude = `mkdir -p "$ROOT/proc" "$ROOT/dev"
mount -t proc proc "$ROOT/proc"; mount --rbind /dev "$ROOT/dev"
image() { chroot "$ROOT" "$@"; }
exec 2>&1\n`
  const { stdout, stderr } = await run('unshare', [...namespaces, 'sh', '-euc', prelude + script], {
    env: { ROOT: root, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
  })
  return stdout + stderr
}
