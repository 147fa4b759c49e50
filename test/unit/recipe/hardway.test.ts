import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { certificatesStep } from '../../../pipeline/recipe/hardway.js'
import { stepScript } from '../../../pipeline/recipe/steps.js'

// openssl is the real one, in a directory of the test.
const test = anyTest as TestFn<{ folder: string }>

test.beforeEach((t) => {
  t.context.folder = mkdtempSync(join(tmpdir(), 'kubelet-images-pki-'))
})
test.afterEach.always((t) => rmSync(t.context.folder, { recursive: true }))

/** Runs the step, on a machine with an address and a host name of its own where these are given. */
function makeCertificates(
  folder: string,
  prelude = 'ip() { echo "192.0.2.1 dev eth0 src 192.0.2.7 uid 0"; }',
) {
  const input = `${prelude}\n${stepScript(certificatesStep(folder))}`
  return spawnSync('sh', [], { input, encoding: 'utf8' })
}

function openssl(folder: string, ...args: string[]): string {
  return spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' }).stdout
}

test('a CA, and certificates by it for the node', (t) => {
  const { folder } = t.context
  const { status, stdout, stderr } = makeCertificates(folder)
  t.is(status, 0, stderr)
  t.is(stdout + stderr, '')
  for (const name of ['kubelet', 'kubelet-client']) {
    t.is(openssl(folder, 'verify', '-CAfile', 'ca.crt', `${name}.crt`), `${name}.crt: OK\n`)
  }
  const text = openssl(
    folder,
    'x509',
    '-noout',
    '-subject',
    '-ext',
    'subjectAltName',
    '-in',
    'kubelet.crt',
  )
  const node = hostname().toLowerCase()
  t.true(text.includes(`CN = system:node:${node}`), text)
  t.true(text.includes(`DNS:${node}, IP Address:192.0.2.7`), text)
  t.false(existsSync(join(folder, 'kubelet.csr')))
})

test('the name of the node is in small letters, as the kubelet has it', (t) => {
  const { folder } = t.context
  const prelude = 'uname() { echo Node1; }\nip() { echo "src 192.0.2.7"; }'
  t.is(makeCertificates(folder, `${prelude.replace('src', 'x src')}`).status, 0)
  t.regex(
    openssl(folder, 'x509', '-noout', '-subject', '-in', 'kubelet.crt'),
    /system:node:node1$/m,
  )
})

test('again: the same CA and keys, new certificates', (t) => {
  const { folder } = t.context
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  makeCertificates(folder)
  const before = ['ca.crt', 'ca.key', 'kubelet.key', 'kubelet.crt'].map(read)
  t.is(makeCertificates(folder).status, 0)
  const after = ['ca.crt', 'ca.key', 'kubelet.key', 'kubelet.crt'].map(read)
  t.deepEqual(after.slice(0, 3), before.slice(0, 3))
  t.not(after[3], before[3])
})

test("without the CA's key there are requests to be signed elsewhere, and nothing is lost", (t) => {
  const { folder } = t.context
  makeCertificates(folder)
  const key = readFileSync(join(folder, 'ca.key'))
  rmSync(join(folder, 'ca.key'))
  // Those of this node are good: they stay.
  const good = readFileSync(join(folder, 'kubelet.crt'))
  t.is(makeCertificates(folder).status, 0)
  t.deepEqual(readFileSync(join(folder, 'kubelet.crt')), good)

  // A node that has the certificate of the CA alone.
  for (const name of ['kubelet', 'kubelet-client']) {
    for (const end of ['crt', 'key']) rmSync(join(folder, `${name}.${end}`))
  }
  const { status, stderr } = makeCertificates(folder)
  t.is(status, 1)
  t.regex(
    stderr,
    /kubelet\.csr waits to be signed, because the key of the CA is not here\. Where it is:/,
  )
  t.regex(stderr, /bring the \.crt files to .*, and run this step again\n$/)
  // What the message says, done.
  writeFileSync(join(folder, 'ca.key'), key)
  for (const [command] of stderr.matchAll(/openssl x509 .*/g)) {
    spawnSync('sh', ['-c', command], { cwd: folder })
  }
  rmSync(join(folder, 'ca.key'))
  const again = makeCertificates(folder)
  t.is(again.status, 0, again.stderr)
  t.is(openssl(folder, 'verify', '-CAfile', 'ca.crt', 'kubelet.crt'), 'kubelet.crt: OK\n')
})

test("openssl's words are shown, and what was there stays", (t) => {
  const { folder } = t.context
  makeCertificates(folder)
  const good = readFileSync(join(folder, 'kubelet.crt'))
  writeFileSync(join(folder, 'ca.key'), 'no key')
  const { status, stderr } = makeCertificates(folder)
  t.not(status, 0)
  t.regex(stderr, /ca\.key|private key/i)
  t.deepEqual(readFileSync(join(folder, 'kubelet.crt')), good)
})

test('a node without a route, and a key of a CA without its certificate', (t) => {
  const { folder } = t.context
  const without = makeCertificates(folder, 'ip() { echo "Network is unreachable" >&2; return 2; }')
  t.is(without.status, 1)
  t.regex(without.stderr, /this node has no default route, which tells its address: add one/)
  writeFileSync(join(folder, 'ca.key'), 'key')
  const { status, stderr } = makeCertificates(folder)
  t.is(status, 1)
  t.regex(stderr, /ca\.key is there without ca\.crt: bring that too/)
  t.is(readFileSync(join(folder, 'ca.key'), 'utf8'), 'key')
})
