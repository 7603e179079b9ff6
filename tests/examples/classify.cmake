# classify on a few digits. Needs CLASSIFY, IMAGES and WORK.
include("${CMAKE_CURRENT_LIST_DIR}/program.cmake")
set(PROGRAM "${CLASSIFY}")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
execute_process(COMMAND "${IMAGES}" make "${WORK}" COMMAND_ERROR_IS_FATAL ANY)

run(0 train --data "${WORK}/idx" --out "${WORK}/run" --epochs 12)
expect_output("Total params: 115,114" "epoch 12/12" "recognized: ")
string(REGEX MATCH "recognized: [^\n]*" told "${output}")
run(0 eval --data "${WORK}/idx" --model "${WORK}/run/models/classifier.safetensors")
expect_output("${told}")
string(REGEX MATCH "([0-9]+) of 120" matched "${told}")
if(CMAKE_MATCH_1 LESS 80)
  message(FATAL_ERROR "classify: ${told}")
endif()
# A training that is stopped goes on and ends with the same bits.
run(0 train --data "${WORK}/idx" --out "${WORK}/whole" --epochs 60)
stop(INT "${WORK}/stopped" "classify train --resume" train --data "${WORK}/idx" --epochs 60)
if(stopped)
  run(0 train --resume --config "${WORK}/stopped/config.json" --out "${WORK}/stopped")
  same_files("${WORK}/whole/models/classifier.safetensors" "${WORK}/stopped/models/classifier.safetensors")
  no_checkpoints("${WORK}/stopped")
endif()

run(0 train --data "${WORK}/png" --out "${WORK}/png-run" --epochs 1)
refuse("a run in it already" train --data "${WORK}/idx" --out "${WORK}/run")
refuse("no labels" train --data "${WORK}/plain" --out "${WORK}/none")
refuse("--model is required" eval)
refuse("excludes --overwrite" train --resume --overwrite --out "${WORK}/run")

# Digits of another set than the model's may have been among those that it was trained on.
run(0 eval --data "${WORK}/png" --model "${WORK}/run/models/classifier.safetensors")
expect_warning("warning: trained on other images")

# Labels that only a part of the images has are not used, and that is said.
file(COPY "${WORK}/png" DESTINATION "${WORK}/mixed")
file(GLOB plain "${WORK}/plain/*.png")
list(GET plain 0 stray)
file(COPY "${stray}" DESTINATION "${WORK}/mixed/png")
execute_process(COMMAND "${CLASSIFY}" train --data "${WORK}/mixed" --out "${WORK}/none" RESULT_VARIABLE status ERROR_VARIABLE error)
if(status EQUAL 0 OR NOT error MATCHES "warning: 1 of 61 PNG files" OR EXISTS "${WORK}/none")
  message(FATAL_ERROR "classify train: a stray PNG file: status ${status}, ${error}")
endif()
