import { join } from 'node:path'
import { table } from 'table'
import { platformOf } from '../../pipeline/facts/platform.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { compileCommand, componentCompiler } from '../../pipeline/graph/component.js'
import { packLayer } from '../../pipeline/graph/layer.js'
import { staticRoot } from '../../pipeline/graph/static-root.js'
import { succeed } from '../../pipeline/host/process.js'
import { duration, line } from '../../pipeline/host/progress.js'
import { temporaryDirectory } from '../../pipeline/host/temporary.js'
import { planImages } from '../../pipeline/plan/images.js'
import type { BuildRequest } from '../../pipeline/plan/request.js'
import type { ComponentSpec, ImageSpec, StaticRoot } from '../../pipeline/plan/spec.js'

/** Times a build with empty caches in a cache directory of its own, against a bare `go build` of the same kubelet. */
export default async function bench(request: BuildRequest, facts: Facts): Promise<void> {
  const cache = temporaryDirectory('bench')
  process.env.XDG_CACHE_HOME = cache
  process.env.GOCACHE = join(cache, 'go-build')
  process.env.GOMODCACHE = join(cache, 'go-mod')
  const spec = planImages(request, facts)[0] as ImageSpec
  const { userland } = spec.root as StaticRoot
  // Loaded now, because they read the cache directory's name when they load.
  const { prepareEngine } = await import('../../pipeline/engine/choose.js')
  const { stopEmbedded } = await import('../../pipeline/engine/embedded.js')
  const { withClient } = await import('../../pipeline/engine/session.js')
  const { prepareBuilder } = await import('../../pipeline/build/debian-root.js')

  try {
    const rows: [string, number][] = []
    const time = async (what: string, work: () => Promise<unknown>) => {
      const started = Date.now()
      await work()
      rows.push([what, Date.now() - started])
      line(`${what}: ${duration(Date.now() - started)}`)
    }
    const { kubernetes, arches, images, variants, bases } = request
    const flags = [
      `--k8s=${kubernetes.version}`,
      `--arch=${arches}`,
      `--image=${images}`,
      `--variant=${variants}`,
      `--base=${bases}`,
      '--engine=embedded',
      `--output=${join(cache, 'dist')}`,
    ]
    const build = () => succeed('npm', ['run', 'build', '--', ...flags])
    const kubelet = spec.components[0] as ComponentSpec
    const platform = platformOf(spec.arches[0] ?? 'amd64')

    await time('once: compile and start the engine', () => prepareEngine('embedded'))
    const engine = await prepareEngine('embedded')
    await time('once: builder, toolchains and userland', () =>
      withClient(engine, async (client) => {
        const builder = await prepareBuilder(client, facts)
        const base = staticRoot(builder, facts, userland, platform)
        await packLayer(builder, base, { platform, compression: spec.compression }).sync()
        await componentCompiler(builder, kubelet, platform).withExec(['true']).sync()
      }),
    )
    await time('bare go build of the kubelet', () =>
      withClient(engine, async (client) => {
        const builder = await prepareBuilder(client, facts)
        await componentCompiler(builder, kubelet, platform)
          // A cache volume of its own is as empty as the ones that the build will find, and as fast.
          .withMountedCache('/bare', client.cacheVolume(`kubelet-images-bench-${Date.now()}`))
          .withEnvVariable('GOPATH', '/bare/go')
          .withEnvVariable('GOCACHE', '/bare/build')
          .withEnvVariable('ZIG_GLOBAL_CACHE_DIR', '/bare/zig')
          .withExec(compileCommand(kubelet))
          .sync()
      }),
    )
    await time('npm run build, empty Go caches', build)
    await time('npm run build again, nothing changed', build)
    const bare = rows.find(([what]) => what.startsWith('bare'))?.[1] as number
    const cells = rows.map(([what, ms]) => [what, duration(ms), (ms / bare).toFixed(2)])
    process.stdout.write(table([[`${spec.image} ${spec.tag}`, 'min:s', '/ bare'], ...cells]))
  } finally {
    await stopEmbedded()
    // Go writes its modules without the permission to remove them.
    await succeed('chmod', ['-R', 'u+w', cache])
  }
}
