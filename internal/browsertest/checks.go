package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Check fails the test unless the page as it stands passes Axe, Readable, Targets with 24 px, Fits at its own width and
// at 320 px, and Quiet.
func (b *Browser) Check() {
	b.t.Helper()
	b.Axe()
	b.Readable()
	b.Targets(24)
	b.Fits(b.width)
	b.Fits(320)
	b.Quiet()
}

// Axe fails the test for every violation that axe-core finds: the rules of WCAG 2.0 to 2.2, levels A and AA, and its
// best practices.
func (b *Browser) Axe() {
	b.t.Helper()
	Eval[bool](b, string(Script(b.t, "axe-core/axe.min.js"))+"\n;true")
	b.complain("axe finds", `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
		resultTypes: ["violations"],
	}).then(result => {
		if (result.passes.length === 0) return ["nothing to judge: no rule passed"];
		return result.violations.flatMap(v => v.nodes.map(n =>
			v.id + ": " + v.help + "\n  " + n.html.slice(0, 200) + "\n  " + n.failureSummary.replaceAll("\n", "\n  ")));
	})`)
}

// Readable fails the test for every visible text below 12 CSS pixels, scaled SVG text included.
func (b *Browser) Readable() {
	b.t.Helper()
	b.complain("text below 12 px", `(() => {
		const small = new Set();
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		while (walker.nextNode()) {
			const parent = walker.currentNode.parentElement;
			if (!walker.currentNode.data.trim() || !parent.checkVisibility({visibilityProperty: true})) continue;
			if (["SCRIPT", "STYLE", "NOSCRIPT"].includes(parent.tagName)) continue;
			const matrix = parent.getScreenCTM?.();
			const size = parseFloat(getComputedStyle(parent).fontSize) * (matrix ? Math.hypot(matrix.a, matrix.b) : 1);
			if (size < 11.95) small.add(size.toFixed(1) + " px: “" + walker.currentNode.data.trim().slice(0, 60) + "”");
		}
		return [...small];
	})()`)
}

// Targets fails the test for every link, button and field smaller than so many CSS pixels in either direction.
// WCAG's exceptions hold: links inside a sentence, and controls whose label is large enough. What is hidden until it
// has the focus (a skip link) does not count.
func (b *Browser) Targets(pixels int) {
	b.t.Helper()
	b.complain(fmt.Sprintf("targets below %d px", pixels), fmt.Sprintf(`(least => {
		const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=link]";
		const fits = box => box.width >= least - 0.05 && box.height >= least - 0.05;
		const inSentence = e => e.matches("a") && getComputedStyle(e).display === "inline" &&
			[...e.parentElement.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
		return [...document.querySelectorAll(controls)].filter(e => {
			const box = e.getBoundingClientRect();
			if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) return false;
			if (box.width <= 1 || box.height <= 1 || box.right <= 0 || box.bottom + scrollY <= 0) return false;
			return !fits(box) && !inSentence(e) && ![...(e.labels ?? [])].some(l => fits(l.getBoundingClientRect()));
		}).map(e => {
			const box = e.getBoundingClientRect();
			return box.width.toFixed(1) + " × " + box.height.toFixed(1) + ": " + e.outerHTML.slice(0, 120);
		});
	})(%d)`, pixels))
}

// Fits fails the test if the page would scroll sideways in a window so many CSS pixels wide, and names what sticks out.
// The window has its size back afterwards.
func (b *Browser) Fits(width int64) {
	b.t.Helper()
	oldWidth, oldHeight, phone := b.width, b.height, b.phone
	b.Size(width, oldHeight)
	b.complain(fmt.Sprintf("sideways scrolling at %d px", width), `new Promise(done => requestAnimationFrame(() => {
		const root = document.documentElement, wide = root.scrollWidth, room = root.clientWidth;
		if (wide <= room) return done([]);
		const out = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > room + 0.5);
		done(["the page needs " + wide + " px and has " + room, ...out.slice(-5).map(e => e.outerHTML.slice(0, 120))]);
	}))`)
	if phone {
		b.Phone()
	} else {
		b.Size(oldWidth, oldHeight)
	}
}

// complain fails the test with the strings that an expression yields, if there are any.
func (b *Browser) complain(about, expression string) {
	b.t.Helper()
	if b.noScript { // the checks are scripts themselves; those of the page have missed their turn and stay silent
		b.scripts(true)
		defer b.scripts(false)
	}
	if found := Eval[[]string](b, expression); len(found) > 0 {
		b.t.Errorf("%s (%d) on %s:\n%s", about, len(found), b.URL(), strings.Join(found, "\n"))
	}
}

// Script returns a file of the packages that testdata/package.json names, for example "tincanjs/build/tincan.js".
func Script(t testing.TB, name string) []byte {
	t.Helper()
	_, source, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the place of this package's source is unknown")
	}
	folder := filepath.Join(filepath.Dir(source), "testdata")
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", filepath.FromSlash(name)))
	if err != nil {
		t.Fatalf("%v\nThe browser tests need a few packages of Node: run ./test, or npm ci in %s", err, folder)
	}
	return text
}
