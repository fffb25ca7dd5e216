// Package besidetest helps tests that run a command beside a throwaway server and wait for what it says.
package besidetest
