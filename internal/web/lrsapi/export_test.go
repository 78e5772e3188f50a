package lrsapi

import (
	"net/http"
	"time"

	"rollway/internal/lrs"
	"rollway/internal/web"
)

// NewWithin is New with little room for bodies.
func NewWithin(w web.Door, store *lrs.Store, personOf PersonOf, bodies, forms int64, wait time.Duration) http.Handler {
	d := &door{web: w, store: store, personOf: personOf, bodies: newBudget(bodies, wait), forms: newBudget(forms, wait)}
	return d.open()
}
