// Package kube lists and changes the workloads of one Kubernetes namespace (docs/contracts.md, "On Kubernetes"):
// Deployments, whose replicas are pods. What decides is read from the API server each time, never from a cache.
package kube
