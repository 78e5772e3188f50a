package content

import "strings"

// MediaType returns the Content-Type for a file of a package, by its extension alone, and whether it is to be offered as a
// download. Unknown extensions are application/octet-stream and downloads. The bytes are never looked at, and the answer is
// meant to be served with `nosniff`.
//
// Types whose files say themselves which charset they are in (HTML, CSS, SVG, XML), or take that of the page (scripts), get
// no charset: a header would override them. Those that cannot say it get UTF-8.
func MediaType(path string) (contentType string, download bool) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if t, ok := mediaTypes[strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])]; ok && strings.Contains(name, ".") {
		return t.name, t.download
	}
	return "application/octet-stream", true
}

type mediaType struct {
	name     string
	download bool
}

var mediaTypes = map[string]mediaType{
	"html":  {"text/html", false},
	"htm":   {"text/html", false},
	"xhtml": {"application/xhtml+xml", false},
	"css":   {"text/css", false},
	"js":    {"text/javascript", false},
	"mjs":   {"text/javascript", false},
	"wasm":  {"application/wasm", false},

	"json":        {"application/json", false},
	"map":         {"application/json", false},
	"jsonld":      {"application/ld+json", false},
	"webmanifest": {"application/manifest+json", false},
	"xml":         {"application/xml", false},
	"xsd":         {"application/xml", false},
	"xsl":         {"application/xml", false},
	"dtd":         {"application/xml-dtd", false},
	"txt":         {"text/plain; charset=utf-8", false},
	"md":          {"text/plain; charset=utf-8", false},
	"csv":         {"text/csv; charset=utf-8", true},
	"pdf":         {"application/pdf", false},

	"svg":  {"image/svg+xml", false},
	"png":  {"image/png", false},
	"apng": {"image/apng", false},
	"jpg":  {"image/jpeg", false},
	"jpeg": {"image/jpeg", false},
	"gif":  {"image/gif", false},
	"webp": {"image/webp", false},
	"avif": {"image/avif", false},
	"bmp":  {"image/bmp", false},
	"ico":  {"image/x-icon", false},
	"cur":  {"image/x-icon", false},

	"mp3":  {"audio/mpeg", false},
	"m4a":  {"audio/mp4", false},
	"aac":  {"audio/aac", false},
	"oga":  {"audio/ogg", false},
	"ogg":  {"audio/ogg", false},
	"opus": {"audio/ogg", false},
	"wav":  {"audio/wav", false},
	"weba": {"audio/webm", false},
	"flac": {"audio/flac", false},
	"mp4":  {"video/mp4", false},
	"m4v":  {"video/mp4", false},
	"webm": {"video/webm", false},
	"ogv":  {"video/ogg", false},
	"mov":  {"video/quicktime", false},
	"m3u8": {"application/vnd.apple.mpegurl", false},
	"ts":   {"video/mp2t", false},
	"vtt":  {"text/vtt; charset=utf-8", false},
	"srt":  {"application/x-subrip; charset=utf-8", false},

	"woff":  {"font/woff", false},
	"woff2": {"font/woff2", false},
	"ttf":   {"font/ttf", false},
	"otf":   {"font/otf", false},
	"eot":   {"application/vnd.ms-fontobject", false},

	"zip":  {"application/zip", true},
	"epub": {"application/epub+zip", true},
	"rtf":  {"application/rtf", true},
	"doc":  {"application/msword", true},
	"xls":  {"application/vnd.ms-excel", true},
	"ppt":  {"application/vnd.ms-powerpoint", true},
	"docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", true},
	"xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true},
	"pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation", true},
	"odt":  {"application/vnd.oasis.opendocument.text", true},
	"ods":  {"application/vnd.oasis.opendocument.spreadsheet", true},
	"odp":  {"application/vnd.oasis.opendocument.presentation", true},
}
