// Package supervisor runs a set of parts that need one another: it starts each as soon as those it needs are ready,
// keeps them running, changes the replicas of the workloads on request, and stops all in reverse order.
package supervisor
