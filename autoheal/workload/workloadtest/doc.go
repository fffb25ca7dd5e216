// Package workloadtest holds every control over workloads to one behaviour, whoever runs them.
package workloadtest
