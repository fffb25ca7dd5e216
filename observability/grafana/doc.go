// Package grafana is what a Grafana is given so that it shows Faultline: data sources that lead from one pillar to the next,
// dashboards, and settings. Without a Grafana the same package says what every panel asks, so that a test can ask it too.
package grafana
