package app

import (
	"context"
	"log/slog"
	"time"
)

const (
	// collectAfter is the age at which a blob that nothing names counts as left behind by a request that was refused or a
	// process that was killed: much longer than a commit takes after the blob was put or renewed.
	collectAfter = 24 * time.Hour
	collectEvery = 6 * time.Hour
)

// CollectBlobs removes the files of packages and attachments that no row names. It returns how many there were.
func (h *House) CollectBlobs(ctx context.Context) (int, error) {
	return h.Blobs.Collect(ctx, time.Now().Add(-collectAfter), func(ctx context.Context, first byte, add func([32]byte)) error {
		if err := h.Content.NamedBlobs(ctx, first, add); err != nil {
			return err
		}
		return h.Records.NamedBlobs(ctx, first, add)
	})
}

// tidyBlobs collects until ctx ends.
func (h *House) tidyBlobs(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		n, err := h.CollectBlobs(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("files that nothing names cannot be collected", "error", err)
		case n > 0:
			log.Info("files that nothing names were removed", "count", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
