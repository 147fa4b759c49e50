import test from 'ava'
import { networkOf } from '../../../pipeline/engine/network.js'
import { loopbackAlias, moduleFolder } from '../../../pipeline/graph/network.js'
import { redact } from '../../../pipeline/host/http.js'
import { cacheHome } from '../../../pipeline/host/paths.js'

test('nothing in the environment: nothing for the steps', (t) => {
  t.deepEqual(networkOf({ GOPROXY: '', HTTP_PROXY: '' }), {
    network: { variables: [], certificates: [], ports: [] },
    client: {},
  })
})

test('what listens on the loopback of this machine is reached by the client, and by no proxy', (t) => {
  const { network, client } = networkOf({
    GOPROXY: 'https://user:s3cret@localhost:3000,direct',
    http_proxy: '127.0.0.1:3128',
    NO_PROXY: 'example.org',
  })
  t.deepEqual(network, {
    variables: ['GOPROXY', 'HTTP_PROXY', 'NO_PROXY'],
    certificates: [],
    ports: [3000, 3128],
  })
  t.deepEqual(client, {
    KUBELET_IMAGES_GOPROXY: `https://user:s3cret@${loopbackAlias}:3000,direct`,
    KUBELET_IMAGES_HTTP_PROXY: `http://${loopbackAlias}:3128`,
    KUBELET_IMAGES_NO_PROXY: `example.org,${loopbackAlias}`,
  })
})

test('another machine is left as it is', (t) => {
  const { network, client } = networkOf({ GOPROXY: 'https://modules.example.org|off' })
  t.deepEqual(network.ports, [])
  t.is(client.KUBELET_IMAGES_GOPROXY, 'https://modules.example.org|off')
})

test('a folder of modules is brought to the steps; two are refused', (t) => {
  const { network, client } = networkOf({ GOPROXY: 'file:///srv/modules,off' })
  t.is(network.modules, '/srv/modules')
  t.is(client.KUBELET_IMAGES_GOPROXY, `file://${moduleFolder},off`)
  t.throws(() => networkOf({ GOPROXY: 'file:///a,file:///b' }), {
    name: 'UserError',
    message: 'GOPROXY names two folders: name one file:// URL at most',
  })
})

test('a password that the go command would not send is told before anything starts', (t) => {
  t.throws(() => networkOf({ GOPROXY: 'http://user:s3cret@modules.example.org,off' }), {
    name: 'UserError',
    message:
      'GOPROXY http://modules.example.org has a password, and the go command sends none to http:// places: name it by https://, or leave the password out',
  })
})

test('certificates that cannot be read are told before anything starts', (t) => {
  t.throws(() => networkOf({ SSL_CERT_FILE: '/nonexistent/ca.pem' }), {
    name: 'UserError',
    message:
      'SSL_CERT_FILE /nonexistent/ca.pem cannot be read: name a file with certificates, or unset it',
  })
})

test('no message has a password in it', (t) => {
  t.is(redact('at http://user:s3cret@h:1/x, https://t0ken@h/y'), 'at http://h:1/x, https://h/y')
})

test('an empty or relative XDG_CACHE_HOME counts as none', (t) => {
  for (const path of ['', 'rel-cache', undefined]) {
    t.regex(cacheHome({ XDG_CACHE_HOME: path }), /^\/.*\/\.cache$/)
  }
  t.is(cacheHome({ XDG_CACHE_HOME: '/somewhere' }), '/somewhere')
})
