package toolchain

import (
	"fmt"
	"slices"
)

// The programs of a Kubernetes cluster. None is ever taken from PATH: the versions were chosen to fit each other and the
// node image, and the one that a machine happens to have is another.
const (
	KubeAPIServer         Name = "kube-apiserver"
	KubeControllerManager Name = "kube-controller-manager"
	KubeScheduler         Name = "kube-scheduler"
	KubeProxy             Name = "kube-proxy"
	Kubelet               Name = "kubelet"
	Kubeadm               Name = "kubeadm"
	Kubectl               Name = "kubectl"
	Etcd                  Name = "etcd"
	CoreDNS               Name = "coredns"
	Crictl                Name = "crictl"
	LocalPathProvisioner  Name = "local-path-provisioner"
	Kind                  Name = "kind"
	// PrometheusKubernetes is Prometheus that can also discover its targets from Kubernetes.
	PrometheusKubernetes Name = "prometheus-kubernetes"
)

// kubernetesRelease is the last minor version whose kubelet starts on cgroup v1 by default.
var kubernetesRelease = release{1, 34, 4}

// cluster is the part of the catalogue that only a cluster needs, and prometheus, which one of them is made from.
func cluster(prometheus spec) []spec {
	prometheus.name, prometheus.tags = PrometheusKubernetes, "remove_all_sd,enable_kubernetes_sd"
	all := []spec{
		{
			name: Kind, pins: "kind", module: "sigs.k8s.io/kind", at: "v0.33.0", release: release{0, 33, 0},
			pkg: "sigs.k8s.io/kind",
		},
		{
			name: Etcd, pins: "etcd", module: "go.etcd.io/etcd/server/v3", at: "v3.6.5", release: release{3, 6, 5},
			pkg: "go.etcd.io/etcd/server/v3",
		},
		{
			name: Crictl, pins: "crictl", module: "sigs.k8s.io/cri-tools", at: "v1.34.0", release: release{1, 34, 0},
			pkg: "sigs.k8s.io/cri-tools/cmd/crictl", versionFlag: "sigs.k8s.io/cri-tools/pkg/version.Version",
		},
		{
			name: LocalPathProvisioner, pins: "local-path-provisioner", module: "github.com/rancher/local-path-provisioner",
			at: "v0.0.30", release: release{0, 0, 30}, pkg: "github.com/rancher/local-path-provisioner",
			versionFlag: "main.VERSION",
		},
		{
			name: CoreDNS, pins: "coredns", module: "github.com/coredns/coredns", at: "v1.12.1", release: release{1, 12, 1},
			pkg: "github.com/coredns/coredns",
		},
		prometheus,
	}
	for _, name := range []Name{
		KubeAPIServer, KubeControllerManager, KubeScheduler, KubeProxy, Kubelet, Kubeadm, Kubectl,
	} {
		all = append(all, kubernetes(name))
	}
	for i := range all {
		all[i].onRequest, all[i].exact = true, true
	}
	return all
}

// kubernetes is one program of Kubernetes' own module. All have the same flags, so that what they share is compiled once.
func kubernetes(name Name) spec {
	const variables = "k8s.io/component-base/version."
	version := "v" + kubernetesRelease.String()
	return spec{
		name: name, pins: "kubernetes", module: "k8s.io/kubernetes", at: version, release: kubernetesRelease,
		pkg: "k8s.io/kubernetes/cmd/" + string(name),
		// Clients and kubeadm read these; without them a server is of version v0.0.0.
		linked: []string{
			variables + "gitVersion=" + version,
			fmt.Sprintf("%sgitMajor=%d", variables, kubernetesRelease[0]),
			fmt.Sprintf("%sgitMinor=%d", variables, kubernetesRelease[1]),
		},
	}
}

// find returns the spec of a name that is in all.
func find(all []spec, name Name) spec {
	return all[slices.IndexFunc(all, func(s spec) bool { return s.name == name })]
}
