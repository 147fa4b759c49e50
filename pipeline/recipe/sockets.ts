/** Where containerd serves the CRI. */
export const criSocket = 'unix:///run/containerd/containerd.sock'

/** Where kubelets below v1.24 serve the CRI themselves, for Docker. */
export const dockershimSocket = '/var/run/dockershim.sock'
