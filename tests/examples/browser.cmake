# Opens REPORT in the headless BROWSER, in a light and a dark scheme: no message on the console, every picture loaded,
# nothing that comes from a network. Needs WORK.
if(NOT BROWSER)
  message(STATUS "SKIPPED: no Chromium")
  return()
endif()
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
file(READ "${REPORT}" page)
if(page MATCHES "(src|href)=\"(https?:)?//[^\"]*|url\\(|@import")
  message(FATAL_ERROR "the page asks for ${CMAKE_MATCH_0}")
endif()
# The page counts its own pictures once it is loaded, those within its drawings too, and tells the color of its ground.
string(REPLACE "</main>" "<script>addEventListener('load', async () => {
  const loads = source => new Promise(done => { const image = new Image(); image.onload = () => done(image.naturalWidth > 0);
    image.onerror = () => done(false); image.src = source; });
  const sources = [...document.images].map(i => i.src).concat(
    [...document.querySelectorAll('svg image')].map(i => i.href.baseVal));
  const loaded = (await Promise.all(sources.map(loads))).filter(Boolean);
  document.title = `pictures: ${loaded.length} of ${sources.length}, plots: ${
  document.querySelectorAll('figure > svg').length}, ground: ${getComputedStyle(document.body).backgroundColor}`; });</script></main>" page "${page}")
file(WRITE "${WORK}/report.html" "${page}")
set(grounds)
foreach(scheme IN ITEMS 1 0)  # light and dark, as Chromium numbers them
  execute_process(
    COMMAND "${BROWSER}" --headless --no-sandbox --disable-gpu --user-data-dir=${WORK}/profile --enable-logging=stderr
      --blink-settings=preferredColorScheme=${scheme} --virtual-time-budget=5000 --dump-dom "file://${WORK}/report.html"
    RESULT_VARIABLE status OUTPUT_VARIABLE dom ERROR_VARIABLE log TIMEOUT 120)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${BROWSER}: status ${status}\n${log}")
  endif()
  if(log MATCHES "CONSOLE[^\n]*")
    message(FATAL_ERROR "the page wrote on the console: ${CMAKE_MATCH_0}")
  endif()
  string(REGEX MATCH "<title>pictures: ([0-9]+) of ([0-9]+), plots: ([0-9]+), ground: ([^<]*)</title>" told "${dom}")
  if(NOT told OR NOT CMAKE_MATCH_1 EQUAL CMAKE_MATCH_2 OR CMAKE_MATCH_1 LESS 8 OR CMAKE_MATCH_3 LESS 3)
    message(FATAL_ERROR "expected all of at least 8 pictures, and 3 plots: ${told}")
  endif()
  list(APPEND grounds "${CMAKE_MATCH_4}")
  message(STATUS "${told}")
endforeach()
list(REMOVE_DUPLICATES grounds)
list(LENGTH grounds count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "expected another ground in the dark scheme than in the light one, got ${grounds}")
endif()
