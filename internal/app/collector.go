package app

import (
	"os"
	"runtime/debug"
)

// A server uses little of its memory (tens of MB) for long, so that Go's own 100 percent would collect many times a second
// under load, for an eighth of all processor time. collectAt is how much may come on top of what is in use before garbage is
// collected, in percent; as memory of Go nears mostMemory, that is less.
const (
	collectAt  = 400
	mostMemory = 300 << 20
)

// TuneCollector has garbage collected less often than Go would. GOGC and GOMEMLIMIT override it.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(mostMemory)
	}
}
