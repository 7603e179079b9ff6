// What Trainer::fit() takes, what it gives back, and how far it has come in between.
#pragma once

#include <string_view>
#include <vector>

#include "linnet/training/any_callback.hpp"
#include "linnet/training/metrics.hpp"
#include "linnet/training/source.hpp"

LINNET_NAMESPACE_BEGIN

template <class T>
struct FitOptions {
  Index epochs = 1;  ///< how many more epochs
  Index batch_size = 32;
  bool shuffle = true;           ///< another order in each epoch
  SourceRef<T> validation = {};  ///< evaluated after each epoch: "val_loss", ...
  std::vector<AnyMetric<T>> metrics = {};
  std::vector<AnyCallback<T>> callbacks = {};
};

/// The figures of every epoch of a run.
struct History {
  std::vector<Logs> epochs;
  /// The column `name`, one value per epoch. Throws ValueError if there is none.
  std::vector<double> operator[](std::string_view name) const {
    std::vector<double> column;
    for (const Logs& logs : epochs) column.push_back(logs[name]);
    return column;
  }
};

/// How far a training run has come. With the weights and the optimizer's state this is all that a run needs to go on as
/// if it had not been stopped, in the middle of an epoch too.
struct TrainingProgress {
  Index step = 0;            ///< optimizer steps since the start
  Index epoch = 0;           ///< epochs that are complete
  Index batch_in_epoch = 0;  ///< batches of the current epoch that are done
  Index samples = 0;         ///< samples of the current epoch that are done
  Index batch_size = 0;      ///< of the current epoch
  /// Sums over these samples: loss between output and target, loss of layers, metrics.
  std::vector<double> sums = {};
};

LINNET_NAMESPACE_END
