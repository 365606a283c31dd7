// A pool of threads that sleep between jobs: spinning ones would take the cores from torch.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tonecast {

class Pool {
public:
    explicit Pool(int threads) {
        for (int number = 1; number < threads; ++number) workers_.emplace_back([this, number] { work(number); });
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wake_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    // Calls job(item, thread) for every item from 0, on all threads, and returns when all are done. The job must not
    // throw. One call at a time.
    void run(int items, const std::function<void(int, int)>& job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = &job;
            items_ = items;
            next_ = 0;
            busy_ = static_cast<int>(workers_.size());
            ++round_;
        }
        wake_.notify_all();
        take(job, items, 0);
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
    }

private:
    void take(const std::function<void(int, int)>& job, int items, int thread) {
        for (int item = next_++; item < items; item = next_++) job(item, thread);
    }

    void work(int thread) {
        unsigned seen = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return ending_ || round_ != seen; });
            if (ending_) return;
            seen = round_;
            const auto* job = job_;
            const int items = items_;
            lock.unlock();
            take(*job, items, thread);
            lock.lock();
            if (--busy_ == 0) done_.notify_one();
        }
    }

    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    const std::function<void(int, int)>* job_ = nullptr;
    int items_ = 0;
    int busy_ = 0;
    unsigned round_ = 0;
    bool ending_ = false;
    std::atomic<int> next_{0};
};

}  // namespace tonecast
