// Package browsertest drives a real Chromium for tests: it opens pages, clicks, reads, takes pictures, and checks what
// every page of ours must keep (accessibility, text size, targets, no sideways scrolling, a quiet console).
//
// Every method fails the test by itself, with the page's address and the start of its text. Elements are named by CSS
// selectors and waited for. Nothing here reaches past loopback: every other host name fails to resolve.
package browsertest

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience is how long one step may take on a machine with every core busy.
const patience = 30 * time.Second

// Browser is one Chromium with a fresh profile and one tab, closed at the end of the test that opened it.
// It belongs to that test alone: a subtest opens its own.
type Browser struct {
	t   testing.TB
	ctx context.Context

	width, height int64
	phone         bool
	noScript      bool

	heard    chan struct{} // one value for each soFar that the console showed
	mu       sync.Mutex
	problems []string // errors and uncaught exceptions that the console showed
}

// soFar is what Quiet writes to the console, to know that everything before it has been heard.
const soFar = "browsertest: so far"

// Open starts a browser with a light desktop window of 1280 × 800.
func Open(t testing.TB) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-features", "Translate,BackForwardCache"), // a page taken from that cache never says it loaded
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE *.localhost , EXCLUDE 127.0.0.1"),
	)
	if os.Geteuid() == 0 { // Chromium's sandbox refuses to run as root
		options = append(options, chromedp.NoSandbox)
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &Browser{t: t, ctx: ctx, heard: make(chan struct{}, 1)}
	if err := chromedp.Do(ctx); err != nil { // without a time limit, which would end the browser with it
		t.Fatalf("starting Chromium: %v", err)
	}
	go b.listen(chromedp.Console(ctx))
	b.Size(1280, 800)
	b.Light()
	return b
}

// chromium returns the path of the browser's executable.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("the browser tests need Chromium: run ./test as root, or apt-get install chromium fonts-liberation")
	return ""
}

// listen collects what the console complains about, until the browser is closed.
func (b *Browser) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range console {
		switch {
		case err != nil:
			return // the browser is closed
		case message.Text == soFar:
			b.heard <- struct{}{}
		case message.IsException(), message.Type == chromedp.ConsoleError:
			b.mu.Lock()
			b.problems = append(b.problems, fmt.Sprintf("%s (%s:%d)", message, message.URL, message.Line))
			b.mu.Unlock()
		}
	}
}

// run does one step within patience and fails the test if it does not succeed.
func run[T any](b *Browser, what string, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, step)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.describe())
	}
	return value
}

// call sends one command of the DevTools protocol.
func call[P, R any](b *Browser, what string, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	return run(b, what, func(ctx context.Context, tab *chromedp.Target) (R, error) {
		return cdp.Call(ctx, tab, command, params)
	})
}

// describe says where the browser is, for the message of a failure.
func (b *Browser) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	page, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		"location.href + ' “' + document.title + '”\\n' + (document.body?.innerText ?? '').slice(0, 600)"))
	if err != nil {
		return fmt.Sprintf("(the page cannot be read: %v)", err)
	}
	return "The page is " + page
}

// Eval runs a JavaScript expression in the page, waits for it if it is a promise, and decodes its value.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	return run(b, "running "+expression, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Go opens an address and returns when the page has loaded. A page that answers with an error status still opens.
func (b *Browser) Go(url string) {
	b.t.Helper()
	run(b, "opening "+url, chromedp.Navigate(url))
}

// Reload loads the page again.
func (b *Browser) Reload() { b.t.Helper(); run(b, "reloading", chromedp.Reload()) }

// Back goes back one page.
func (b *Browser) Back() { b.t.Helper(); run(b, "going back", chromedp.NavigateBack()) }

// URL returns the page's address, as the address bar shows it.
func (b *Browser) URL() string {
	b.t.Helper()
	return run(b, "reading the address", chromedp.Location())
}

// Title returns the page's title.
func (b *Browser) Title() string { b.t.Helper(); return run(b, "reading the title", chromedp.Title()) }

// Wait returns once an element that matches is visible.
func (b *Browser) Wait(css string) {
	b.t.Helper()
	run(b, "waiting for "+css, chromedp.WaitVisible(chromedp.CSS(css)))
}

// Gone returns once no element matches any more.
func (b *Browser) Gone(css string) {
	b.t.Helper()
	run(b, "waiting for the end of "+css, chromedp.WaitNotPresent(chromedp.CSS(css)))
}

// WaitFor returns once a JavaScript expression is true.
func (b *Browser) WaitFor(expression string) {
	b.t.Helper()
	run(b, "waiting for "+expression, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience)))
}

// Click clicks the first element that matches, as a mouse would. It does not wait for what the click brings about.
func (b *Browser) Click(css string) {
	b.t.Helper()
	run(b, "clicking "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// Type clears the field that matches and types into it.
func (b *Browser) Type(css, text string) {
	b.t.Helper()
	run(b, "clearing "+css, chromedp.Clear(chromedp.CSS(css)))
	run(b, "typing into "+css, chromedp.SendKeys(chromedp.CSS(css), text))
}

// Upload chooses a file of this machine in the field that matches.
func (b *Browser) Upload(css, path string) {
	b.t.Helper()
	run(b, "choosing a file for "+css, chromedp.SetUploadFiles(chromedp.CSS(css), []string{path}))
}

// Press presses keys wherever the focus is; the names of special keys are in chromedp's package kb.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	run(b, fmt.Sprintf("pressing %q", keys), chromedp.KeyEvent(keys))
}

// Text returns the visible text of the first element that matches.
func (b *Browser) Text(css string) string {
	b.t.Helper()
	return run(b, "reading "+css, chromedp.Text(chromedp.CSS(css), chromedp.NodeVisible))
}

// Count returns how many elements match now.
func (b *Browser) Count(css string) int {
	b.t.Helper()
	return Eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", css))
}

// Size makes the window a desktop window of so many CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.width, b.height, b.phone = width, height, false
	run(b, "resizing", chromedp.EmulateViewport(width, height))
}

// Phone makes the window a touch screen of 390 × 844.
func (b *Browser) Phone() {
	b.t.Helper()
	b.width, b.height, b.phone = 390, 844, true
	run(b, "becoming a phone", chromedp.EmulateViewport(b.width, b.height,
		chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait, chromedp.EmulateScale(2)))
}

// Dark makes the person prefer dark pages.
func (b *Browser) Dark() { b.t.Helper(); b.media("dark") }

// Light makes the person prefer light pages, as they do at the start.
func (b *Browser) Light() { b.t.Helper(); b.media("light") }

// media sets the preferred colours; motion is reduced throughout, so that pictures do not depend on the moment.
func (b *Browser) media(scheme string) {
	b.t.Helper()
	call(b, "preferring "+scheme+" pages", emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
}

// NoScript switches the scripts of pages off, from the next page on. The methods here go on working, but for WaitFor
// and promises in Eval.
func (b *Browser) NoScript() {
	b.t.Helper()
	b.noScript = true
	b.scripts(false)
}

// scripts says whether scripts may run.
func (b *Browser) scripts(may bool) {
	b.t.Helper()
	call(b, "switching scripts on or off", emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: !may})
}

// Screenshot writes a PNG of the whole page to the folder in ROLLWAY_SHOTS, or else to the test's artifact folder, and
// returns its path. The name has no extension.
func (b *Browser) Screenshot(name string) string {
	b.t.Helper()
	folder := os.Getenv("ROLLWAY_SHOTS")
	if folder == "" {
		folder = b.t.ArtifactDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	path := filepath.Join(folder, name+".png")
	if err := os.WriteFile(path, run(b, "taking a picture", chromedp.FullScreenshot(100)), 0o644); err != nil {
		b.t.Fatal(err)
	}
	return path
}

// Quiet fails the test if the console has shown an error, an uncaught exception or a violation of the page's content
// security policy since the start or the last call. Lines that hold one of the texts given are expected.
func (b *Browser) Quiet(expected ...string) {
	b.t.Helper()
	Eval[chromedp.Void](b, fmt.Sprintf("console.debug(%q)", soFar))
	select {
	case <-b.heard:
	case <-time.After(patience):
		b.t.Fatal("the console does not answer")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = slices.DeleteFunc(b.problems, func(line string) bool {
		return slices.ContainsFunc(expected, func(text string) bool { return strings.Contains(line, text) })
	})
	if len(b.problems) > 0 {
		b.t.Errorf("the console of %s shows:\n%s", b.URL(), strings.Join(b.problems, "\n"))
	}
	b.problems = nil
}
