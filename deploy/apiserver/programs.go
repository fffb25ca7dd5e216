package apiserver

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// programs are the paths of what runs.
type programs struct{ etcd, apiserver, controllers string }

// find takes the programs from the tools' folder when it has them, else from the toolchain, which builds them once.
func find(ctx context.Context, opts Options) (programs, error) {
	var found programs
	places := map[toolchain.Name]*string{
		toolchain.Etcd: &found.etcd, toolchain.KubeAPIServer: &found.apiserver, toolchain.KubeControllerManager: &found.controllers,
	}
	dir := cmp.Or(opts.ToolsDir, os.Getenv("FAULTLINE_TOOLS_DIR"))
	var missing []toolchain.Name
	for name, place := range places {
		path := filepath.Join(dir, string(name))
		if _, err := os.Stat(path); dir != "" && err == nil {
			*place = path
			continue
		}
		missing = append(missing, name)
	}
	if len(missing) == 0 {
		return found, nil
	}
	tools, err := toolchain.Ensure(ctx, toolchain.Options{CacheDir: opts.CacheDir, Progress: opts.Progress}, missing...)
	if err != nil {
		return programs{}, err
	}
	for _, name := range missing {
		*places[name] = tools[name].Path
	}
	return found, nil
}

// The paths in all arguments are relative: the servers run in the folder that has the files.

func etcdArgs() []string {
	return []string{
		"--data-dir=etcd", "--log-level=warn", "--unsafe-no-fsync", // nothing of it is kept
		"--listen-client-urls=unix://" + etcdSocket,
		// Others would be told this one, and there are no others.
		"--advertise-client-urls=http://127.0.0.1:0", "--listen-peer-urls=http://127.0.0.1:0",
	}
}

// etcdSocket keeps everybody else on this machine out of the store, which asks for no password.
const etcdSocket = "etcd.sock"

func apiserverArgs(port int) []string {
	return []string{
		"--bind-address=127.0.0.1", "--secure-port=" + strconv.Itoa(port), "--etcd-servers=unix://" + etcdSocket,
		"--tls-cert-file=" + servingCert, "--tls-private-key-file=" + servingKey, "--client-ca-file=" + caCert,
		"--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + tokenKey,
		"--service-account-signing-key-file=" + tokenKey,
		"--endpoint-reconciler-type=none", // an address of loopback is no endpoint
		"--allow-privileged=true",
	}
}

// controllers are those whose work a test can see without a node.
func controllers() []string {
	return []string{
		"clusterrole-aggregation-controller", "cronjob-controller", "daemonset-controller", "deployment-controller",
		"disruption-controller", "endpointslice-controller", "garbage-collector-controller", "job-controller",
		"namespace-controller", "replicaset-controller", "resourcequota-controller",
		"root-ca-certificate-publisher-controller", "serviceaccount-controller", "serviceaccount-token-controller",
		"statefulset-controller", "validatingadmissionpolicy-status-controller",
	}
}

func controllersArgs() []string {
	return []string{
		"--kubeconfig=kubeconfig", "--leader-elect=false", "--secure-port=0",
		"--controllers=" + strings.Join(controllers(), ","),
		"--service-account-private-key-file=" + tokenKey, "--root-ca-file=" + caCert,
		"--kube-api-qps=200", "--kube-api-burst=400",
	}
}
