// Package harm asks the healer for what would do harm: for each fault, and for each remedy that its experiment calls harmful, a
// playbook whose only rung that is. On the real stack the guard must refuse it, with the reason in the audit, and nothing may
// have been done. `make test-all` runs it.
package harm
