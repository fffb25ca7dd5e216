// Package budget reads what is left of the error budgets from Prometheus, and says by a policy how bold the healer may be.
package budget
