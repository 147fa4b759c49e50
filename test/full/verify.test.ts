import test from 'ava'
import { npm } from '../_helpers/command.js'

test.serial('two builds with empty caches give the same digest', async (t) => {
  t.timeout(5_400_000)
  const image = '--k8s v1.24.0 --image kube-proxy --base static --arch amd64'.split(' ')
  const { status, stdout, stderr } = await npm('verify', image)
  t.is(status, 0, stderr)
  t.regex(stdout, /kube-proxy:v1\.24\.0-static .*the same again/)
})
