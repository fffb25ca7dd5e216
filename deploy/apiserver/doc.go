// Package apiserver runs a throwaway Kubernetes API server for tests, with etcd under it and the controllers beside it
// that make replica sets and pods out of deployments, and count disruption budgets. There is no node: pods stay Pending
// until the test says otherwise.
package apiserver
