// Package webhook takes Alertmanager's notifications in: it answers 202 when the alerts are on disk and not before.
package webhook
