// The button's and the frame's style, for a constructed sheet: it passes `style-src 'none'` and nothing of the page's
// style gets in. A page may set --parley-z.

export const css = `:host{all:initial;--accent:#4353d6;position:fixed;bottom:20px;inset-inline-end:20px;z-index:var(--parley-z,2147483000);color-scheme:light dark}\
button{all:unset;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;cursor:pointer;color:oklch(from var(--accent) clamp(.2,(.72 - l)*99,1) 0 0);background:var(--accent);box-shadow:0 8px 28px #0005;transition:.2s}\
button:hover{transform:scale(1.06)}\
button:focus-visible{outline:3px solid var(--accent);outline-offset:3px}\
svg{grid-area:1/1;width:28px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;transition:.2s}\
iframe,svg+svg,:host([data-open]) svg{visibility:hidden;opacity:0;transform:scale(.9)}\
:host([data-call]) button{animation:p 1.6s infinite}\
@keyframes p{0%{box-shadow:0 0 var(--accent)}to{box-shadow:0 0 0 16px #0000}}\
span{position:absolute;top:-3px;inset-inline-end:-3px;min-width:20px;font:600 12px/20px system-ui;text-align:center;border-radius:10px;background:#d92d20;color:#fff}\
span:empty{display:none}\
iframe{border:0;position:absolute;bottom:72px;inset-inline-end:0;width:min(392px,100vw - 40px);height:min(680px,100dvh - 112px);border-radius:20px;background:Canvas;box-shadow:0 0 0 1px #0002,0 8px 28px #0005;transition:.2s}\
:host([data-open]) :is(iframe,svg+svg){visibility:visible;opacity:1;transform:none}\
@media(max-width:480px){iframe{position:fixed;inset:0!important;width:100vw;height:100dvh;border-radius:0}}\
@media(prefers-reduced-motion){*{transition:none!important;animation:none!important}}`
