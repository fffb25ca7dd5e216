// Package beside runs a command beside throwaway servers: the command gets its signals and passes its exit code on, the
// servers and their files go with it, and nothing of either outlives us.
package beside
