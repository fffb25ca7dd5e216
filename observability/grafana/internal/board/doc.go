// Package board builds dashboards: it knows how a panel of each kind looks in our house, numbers panels and queries, and lays
// rows out on Grafana's grid. What a dashboard asks is said in package definition.
package board
