import { readFileSync, writeFileSync } from 'node:fs'

// What a kubelet sets for itself and no namespace keeps apart: setupKernelTunables in pkg/kubelet/cm of Kubernetes.
const settings = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
].map((name) => `/proc/sys/${name}`)

/** Remembers the kernel settings that kubelets change; gives what sets them back, which is done at exit at the latest. */
export function keepKernelSettings(): () => void {
  const before = new Map(settings.map((file) => [file, readFileSync(file, 'utf8')]))
  const restore = () => {
    process.off('exit', restore)
    for (const [file, value] of before) {
      if (readFileSync(file, 'utf8') !== value) writeFileSync(file, value)
    }
  }
  process.once('exit', restore)
  return restore
}
