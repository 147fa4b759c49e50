package kubelet

// release is the Kubernetes release; images/kubernetes/compile.sh writes the one that it compiles.
const release = "v1.24.0"
