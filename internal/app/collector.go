package app

import (
	"os"
	"runtime/debug"
)

// collectAt is how much a server's memory may grow, in percent of what is in use, before garbage is collected.
const collectAt = 200

// TuneCollector has garbage collected less often than Go would: so little of a server's memory is in use (tens of MB) that
// Go's own 100 percent collects many times a second under load, for an eighth of all processor time. GOGC overrides it.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
