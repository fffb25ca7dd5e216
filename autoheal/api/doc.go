// Package api serves the incidents as JSON (docs/contracts.md, "autoheal") and mounts the webhook, the health checks and
// the metrics beside them.
package api
