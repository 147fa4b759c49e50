import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Arch, parseArch, platformOf } from '../../facts/platform.js'
import { run } from '../../host/process.js'
import { temporaryDirectory } from '../../host/temporary.js'
import type { HostPrograms } from '../../host/tools.js'

interface Board {
  /** Debian package of the emulator. */
  package: string
  /** Name of qemu's machine. */
  name: string
  /** The processor where it is emulated; otherwise it is this machine's. */
  processor: string
  /** The kernel's name of the serial port. */
  console: string
}

/** Of the architectures that variants.json has machines of. */
const boards: Partial<Record<Arch, Board>> = {
  amd64: { package: 'qemu-system-x86', name: 'pc', processor: 'max', console: 'ttyS0' },
  arm64: { package: 'qemu-system-arm', name: 'virt', processor: 'cortex-a72', console: 'ttyAMA0' },
}

function boardOf(arch: Arch): Board {
  const board = boards[arch]
  if (board === undefined) throw new Error(`no board for machines of ${arch}`)
  return board
}

export type Accelerator = 'kvm' | 'tcg'

/** Whether this machine runs no program of an architecture by itself. */
export function isForeign(arch: Arch): boolean {
  return arch !== parseArch(process.arch)
}

/** The emulator of an architecture's machines. */
export function emulatorOf(arch: Arch): string {
  return `qemu-system-${platformOf(arch).qemu}`
}

/** The emulator, and the Debian package that it comes from. */
export function emulatorPrograms(arch: Arch): HostPrograms {
  return { [emulatorOf(arch)]: boardOf(arch).package }
}

/** Arguments of the emulator that every machine has: the board, and a kernel that writes to a file. */
export function boardFlags(
  arch: Arch,
  accelerator: Accelerator,
  { kernel, log, words }: { kernel: string; log: string; words: string },
): string[] {
  const { name, processor, console } = boardOf(arch)
  return [
    ...['-nodefaults', '-display', 'none', '-machine', name],
    ...['-accel', accelerator === 'tcg' ? 'tcg,thread=multi' : accelerator],
    ...['-cpu', accelerator === 'tcg' ? processor : 'host'],
    ...['-serial', `file:${log}`, '-kernel', kernel, '-append', `console=${console} ${words}`],
  ]
}

// Seconds in which a kernel says its first word where the processor runs it.
const trial = 10

/**
 * How machines of an architecture run here: by the processor itself after a kernel was seen to start on it, because a /dev/kvm that opens
 * may still not run one; else emulated.
 */
export async function chooseAccelerator(kernel: string, arch: Arch): Promise<Accelerator> {
  if (isForeign(arch)) return 'tcg'
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return 'tcg'
  }
  const log = join(temporaryDirectory('kvm'), 'console')
  // Without a root the kernel stops, and -no-reboot ends the machine.
  const boot = boardFlags(arch, 'kvm', { kernel, log, words: 'panic=-1' })
  const { stdout, stderr } = await run(emulatorOf(arch), [...boot, '-m', '512', '-no-reboot'], {
    timeout: trial * 1000,
  })
  const said = await readFile(log, 'utf8').catch(() => '')
  const failed = /KVM internal error|emulation failure/.test(stdout + stderr)
  return !failed && said.includes('Linux version') ? 'kvm' : 'tcg'
}
