import test from 'ava'
import { npm } from '../_helpers/command.js'

test.serial('a build with empty caches gives the digest of one before it', async (t) => {
  t.timeout(5_400_000)
  const image = '--k8s v1.24.0 --image kube-proxy --base static --arch amd64'.split(' ')
  const { status, stdout, stderr } = await npm('verify', image)
  t.is(status, 0, stderr)
  t.regex(stdout, /kube-proxy:v1\.24\.0-static .*the same again/)
})

test.serial('a build gives the digest that is recorded', async (t) => {
  t.timeout(3_600_000)
  const image = '--recorded --k8s v1.36.4 --image kubelet --variant base --base static --arch arm64'
  const { status, stdout, stderr } = await npm('verify', image.split(' '))
  t.is(status, 0, stderr)
  t.regex(stdout, /kubelet:v1\.36\.4-static .*the same again/)
})
