// Package kube restarts and scales the workloads of a stack that runs on Kubernetes, as its operator would: with the
// rights of the kubeconfig, not those of the healer (docs/contracts.md, "On Kubernetes").
package kube
