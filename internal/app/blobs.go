package app

import (
	"context"
	"log/slog"
	"time"

	"rollway/internal/chore"
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

// tidyBlobs collects now and then until ctx ends.
func (h *House) tidyBlobs(ctx context.Context, log *slog.Logger, report func(error)) {
	chore.Every(ctx, collectEvery, func(ctx context.Context) error {
		n, err := h.CollectBlobs(ctx)
		if n > 0 {
			log.Info("files that nothing names were removed", "count", n)
		}
		return err
	}, report)
}
