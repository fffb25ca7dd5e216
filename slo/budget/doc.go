// Package budget tells what is left of an error budget, from a live Prometheus: how much, how fast it burns, how long it
// lasts. What is not measured is unknown, and never zero; a Prometheus that is younger than the budget's period says since
// when it counts. The arithmetic is burnrate's.
package budget
