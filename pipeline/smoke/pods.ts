import type { Node } from './node.js'
import { podImage } from './pod-image.js'

const webContainer = {
  name: 'web',
  image: podImage,
  imagePullPolicy: 'Never',
  args: ['serve', ':8080'],
  readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
}

/** The manifest of a pod of its own network that answers on port 8080, with volumes that the kubelet must mount or check. */
export function webPod(hostPort: number, hostPath?: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      terminationGracePeriodSeconds: 1,
      volumes: [
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'data', emptyDir: {} },
        ...(hostPath ? [{ name: 'host', hostPath: { path: hostPath, type: 'Directory' } }] : []),
      ],
      containers: [
        {
          ...webContainer,
          ports: [{ containerPort: 8080, hostPort }],
          volumeMounts: [
            { name: 'memory', mountPath: '/memory' },
            { name: 'data', mountPath: '/data', subPath: 'part' },
            ...(hostPath ? [{ name: 'host', mountPath: '/host' }] : []),
          ],
        },
      ],
    },
  }
}

/** A pod like that on every node, and a Service for them. */
export const webDaemons = [
  {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          containers: [webContainer],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
]

/** A pod of a kubelet without a cluster. */
export interface ReadyPod {
  name: string
  uid: string
  ip: string
}

/** The pods that are Ready, as the kubelet of a node reports them on its port for reading; none before it answers. */
export async function readyPods(node: Node): Promise<ReadyPod[]> {
  const { stdout } = await node.run('curl', ['--silent', 'http://127.0.0.1:10255/pods'])
  if (stdout === '') return []
  const { items } = JSON.parse(stdout) as { items: StatusOfPod[] | null }
  return (items ?? [])
    .filter(({ status }) =>
      status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    .map(({ metadata: { name, uid }, status }) => ({ name, uid, ip: status.podIP }))
}

interface StatusOfPod {
  metadata: { name: string; uid: string }
  status: { podIP: string; conditions?: { type: string; status: string }[] }
}
