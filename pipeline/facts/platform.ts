import { notAllowed } from './closed-set.js'

/** The architectures that images are built for, by their names in Go and in OCI. */
export type Arch = 'amd64' | 'arm64' | 'arm'

/** One architecture in the words of every tool involved. Nobody else spells these. */
export interface Platform {
  arch: Arch
  /** OCI platform string. */
  platform: string
  /** OCI variant, where the architecture has one. */
  variant?: string
  /** GOARM, where Go needs one. */
  goarm?: string
  /** Debian's architecture name. */
  debian: string
  /** Alpine's architecture name. */
  alpine: string
  /** GNU triplet of Debian's cross compilers. */
  gnu: string
  /** Triplet of musl's compilers, Debian's wrappers and zig's targets alike. */
  musl: string
  /** ELF machine as `readelf -h` prints it. */
  elf: string
  /** End of the names of qemu's emulators. */
  qemu: string
}

const platforms: Record<Arch, Platform> = {
  amd64: {
    arch: 'amd64',
    platform: 'linux/amd64',
    debian: 'amd64',
    alpine: 'x86_64',
    gnu: 'x86_64-linux-gnu',
    musl: 'x86_64-linux-musl',
    elf: 'Advanced Micro Devices X86-64',
    qemu: 'x86_64',
  },
  arm64: {
    arch: 'arm64',
    platform: 'linux/arm64',
    debian: 'arm64',
    alpine: 'aarch64',
    gnu: 'aarch64-linux-gnu',
    musl: 'aarch64-linux-musl',
    elf: 'AArch64',
    qemu: 'aarch64',
  },
  arm: {
    arch: 'arm',
    platform: 'linux/arm/v7',
    variant: 'v7',
    goarm: '7',
    debian: 'armhf',
    alpine: 'armv7',
    gnu: 'arm-linux-gnueabihf',
    musl: 'arm-linux-musleabihf',
    elf: 'ARM',
    qemu: 'arm',
  },
}

const spellings: Record<string, Arch> = {
  x64: 'amd64',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  'arm64/v8': 'arm64',
  arm64v8: 'arm64',
  armv7: 'arm',
  armv7l: 'arm',
  armhf: 'arm',
  arm32v7: 'arm',
  'arm/v7': 'arm',
}

export const allArches = Object.keys(platforms) as [Arch, ...Arch[]]

export function platformOf(arch: Arch): Platform {
  return platforms[arch]
}

/** Reads an architecture in any usual spelling (`aarch64`, `linux/arm/v7`); throws a UserError otherwise. */
export function parseArch(text: string): Arch {
  const name = text.toLowerCase().replace(/^linux\//, '')
  if (name in platforms) return name as Arch
  const arch = spellings[name]
  if (arch === undefined) throw notAllowed('architecture', text, allArches)
  return arch
}
