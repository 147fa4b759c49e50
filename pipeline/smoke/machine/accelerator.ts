import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../host/process.js'
import { temporaryDirectory } from '../../host/temporary.js'
import type { MachineImage } from './image.js'

export const emulator = 'qemu-system-x86_64'

/** Flags that every machine has. */
export const machineFlags = ['-nodefaults', '-display', 'none', '-cpu', 'max']

// Seconds in which a kernel says its first word where the processor runs it.
const trial = 10

/**
 * How machines run here: by the processor itself after a kernel was seen to start on it, because a /dev/kvm that opens may still not run
 * one; else emulated.
 */
export async function chooseAccelerator({ kernel }: MachineImage): Promise<'kvm' | 'tcg'> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return 'tcg'
  }
  const log = join(temporaryDirectory('kvm'), 'console')
  // Without a root the kernel stops, and -no-reboot ends the machine.
  const boot = ['-kernel', kernel, '-append', 'console=ttyS0 panic=-1', '-no-reboot']
  const flags = ['-accel', 'kvm', '-m', '512', '-serial', `file:${log}`, ...machineFlags, ...boot]
  const { stdout, stderr } = await run(emulator, flags, { timeout: trial * 1000 })
  const said = await readFile(log, 'utf8').catch(() => '')
  const failed = /KVM internal error|emulation failure/.test(stdout + stderr)
  return !failed && said.includes('Linux version') ? 'kvm' : 'tcg'
}
