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
